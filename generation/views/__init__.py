"""HTTP for artists at work: the studio, a job, a clip and its private bytes."""

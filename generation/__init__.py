"""How a clip comes to be: prompts, jobs, the queue, the engine, and the private files that come out."""

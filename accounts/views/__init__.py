"""HTTP for people: coming in, where to go first, and the rooms of those who run the program."""

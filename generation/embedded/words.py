"""The world that the embedded model knows, by name: things, colors, places, times, motions and how English says them."""

THINGS = {
    "ball": ("ball", "sphere", "beach ball", "orb"),
    "star": ("star", "starfish"),
    "square": ("square", "box", "cube", "block"),
    "triangle": ("triangle", "pyramid"),
    "heart": ("heart",),
    "balloon": ("balloon", "party balloon"),
    "boat": ("boat", "sailboat", "ship"),
    "bird": ("bird", "seagull"),
    "fish": ("fish", "goldfish"),
    "car": ("car", "toy car", "automobile"),
    "rocket": ("rocket", "spaceship"),
}
COLORS = {
    "red": ("red", "crimson", "scarlet"),
    "orange": ("orange", "tangerine"),
    "yellow": ("yellow", "golden", "lemon"),
    "green": ("green", "emerald"),
    "blue": ("blue", "cobalt", "navy"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rose", "rosy"),
    "white": ("white", "ivory", "pale"),
    "black": ("black", "ebony", "dark"),
}
PLACES = {
    "field": ("in a field", "over a green field", "in a meadow", "on the grass", "in the countryside", "over the hills"),
    "sea": ("at sea", "on the sea", "over the ocean", "on the water", "by the sea", "on the waves"),
    "desert": ("in the desert", "over the sand", "in the sand dunes", "over the dunes", "on a sandy desert"),
    "snow": ("in the snow", "over a snowy field", "on the ice", "in a snowy landscape", "in winter"),
    "city": ("in the city", "in a town", "on a city street", "in front of the skyline", "among the buildings"),
    "underwater": ("underwater", "under the sea", "under water", "at the bottom of the sea", "deep below the waves"),
    "plain": ("on a plain background", "in a studio", "on an empty background", "on a simple backdrop"),
}
TIMES = {
    "day": ("by day", "at noon", "in the daytime", "on a sunny day", "in the morning", "in daylight", "in bright sunshine"),
    "dusk": ("at dusk", "at sunset", "in the evening", "at sunrise", "at dawn", "in the evening light"),
    "night": ("at night", "by night", "at midnight", "under the moon", "under the stars", "in the moonlight"),
}
MOTIONS = {
    "left": ("moving left", "moves left", "going to the left", "drifting left", "heading west", "goes left", "sails west"),
    "right": ("moving right", "moves right", "going to the right", "drifting right", "heading east", "goes right", "sails east"),
    "up": ("moving up", "moves up", "rising", "going up", "rises", "floating upward", "flies up", "climbing", "ascending"),
    "down": ("moving down", "moves down", "falling", "going down", "falls", "sinking", "dropping", "descending", "drops down"),
    "stay": ("standing still", "staying still", "not moving", "resting", "stays still", "motionless", "waiting"),
    "bounce": ("bouncing", "bounces", "jumping", "hopping up and down", "jumps", "bouncing up and down"),
}
# Words that change nothing: the model hears them in training, so that free prose does not derail it.
FILLERS = (
    "a video of", "a short clip of", "a picture of", "a beautiful scene with", "an animation of", "we see", "there is",
    "cinematic shot of", "once upon a time,", "imagine", "please show", "look at",
)
ADJECTIVES = ("little", "big", "small", "lonely", "happy", "cute", "shiny", "bright", "large", "tiny", "old", "lovely", "single")
ENDINGS = (
    "beautiful", "high quality", "slowly", "gently", "quietly", "in soft light", "peaceful", "cinematic", "very calm",
    "with love", "4k", "highly detailed", "like a dream",
)

"""The words generated speech says: the ten digits, and others that sound like them or like nothing in particular."""

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

# Close to a digit in sound, yet no homophone of one (so no "won", "to", "for", "ate"; nor "tree" and "free",
# which some accents say as "three"). A test asks espeak-ng, accent by accent.
CONFUSABLE = (
    "hero", "zebra", "arrow", "narrow", "wonder", "run", "sun", "when", "wand", "want", "do", "shoe", "chew", "tune",
    "you", "knee", "tea", "sleep", "breeze", "door", "fort", "force", "fall", "more", "foreign", "fire", "hive", "dive",
    "life", "fine", "file", "sick", "fix", "mix", "sit", "silk", "socks", "heaven", "eleven", "sever", "given", "seventy",
    "gate", "late", "aid", "ape", "eighty", "mine", "line", "night", "nice", "ninety",
)  # fmt: skip
UNRELATED = (
    "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go", "bed", "bird", "cat", "dog", "house", "bottle",
    "happy", "marvin", "sheila", "visual", "forward", "backward", "follow", "learn", "water", "garden", "music", "window",
    "orange", "purple", "button", "kitchen", "morning", "paper", "doctor", "letter", "camera", "banana", "question",
    "yellow", "market", "thunder", "jump", "book", "cloud", "smile", "green", "chair",
)  # fmt: skip
OTHERS = CONFUSABLE + UNRELATED

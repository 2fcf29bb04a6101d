"""The words of generated phrases: common English, chosen so that every phone is said often, even the rare ones."""

# Each row brings more of the phones it is named by; ZH, OY, TH and UH are rare in any list that is not made for them.
WORDS = (
    # ZH
    "measure", "pleasure", "treasure", "leisure", "vision", "usual", "casual", "visual", "division", "decision",
    "television", "occasion", "garage", "beige", "mirage", "explosion", "invasion", "confusion", "version",
    # OY
    "boy", "toy", "joy", "voice", "choice", "noise", "point", "join", "coin", "soil", "boil", "oil", "royal", "loyal",
    "enjoy", "avoid", "annoy", "employ", "moist", "poison",
    # UH
    "book", "look", "cook", "good", "wood", "foot", "put", "push", "pull", "full", "bush", "cushion", "sugar",
    "woman", "wolf", "hook", "stood", "wool", "butcher",
    # TH and DH
    "thing", "think", "thank", "three", "thumb", "thunder", "path", "bath", "mouth", "north", "south", "earth",
    "month", "health", "healthy", "nothing", "author", "method", "mother", "father", "brother", "other", "weather",
    "leather", "feather", "together", "rather", "breathe", "smooth", "they", "this", "those", "these", "then",
    "there",
    # AW
    "house", "mouse", "cloud", "loud", "proud", "down", "town", "brown", "crown", "flower", "power", "shower",
    "mountain", "around", "ground", "found", "cow", "shout", "about",
    # CH, JH and SH
    "chair", "cheese", "chicken", "church", "child", "teacher", "picture", "nature", "future", "kitchen", "lunch",
    "beach", "peach", "watch", "match", "jump", "judge", "juice", "jacket", "bridge", "village", "orange", "magic",
    "engine", "giant", "gentle", "large", "page", "danger", "shoe", "ship", "shop", "sharp", "fish", "dish", "brush",
    "station", "nation", "ocean", "special", "machine", "finish",
    # NG
    "sing", "song", "long", "strong", "young", "king", "ring", "spring", "morning", "evening", "finger", "hungry",
    "angry", "drink", "pink", "bank", "monkey", "language", "building", "running",
    # ER
    "bird", "girl", "word", "work", "world", "first", "third", "burn", "turn", "learn", "early", "circle", "nurse",
    "purple", "perfect", "person", "service", "winter", "summer", "water", "paper", "river", "letter", "butter",
    "dinner", "number", "silver", "doctor", "color", "never", "over",
    # Y and UW
    "yes", "yellow", "year", "yard", "you", "use", "music", "huge", "cute", "beauty", "few", "view", "new", "blue",
    "moon", "spoon", "room", "food", "school", "fruit", "true", "soon", "human", "student", "unit", "onion",
    # AO and AA
    "walk", "talk", "small", "ball", "fall", "call", "thought", "caught", "daughter", "law", "saw", "draw", "dog",
    "more", "door", "floor", "store", "horse", "corner", "car", "star", "garden", "market", "heart", "party", "box",
    "rock", "clock", "hot", "stop", "problem", "possible", "body", "copy", "bottle",
    # AY and EY
    "time", "line", "fine", "light", "night", "white", "bright", "high", "sky", "fly", "try", "ice", "rice", "smile",
    "island", "quiet", "tiger", "table", "day", "way", "play", "rain", "train", "name", "game", "lake", "make",
    "great", "eight", "baby", "paint", "famous",
    # IY and IH
    "tree", "green", "sleep", "dream", "street", "meat", "sea", "easy", "people", "piece", "field", "big", "milk",
    "hill", "winner", "little", "simple", "city", "sister", "minute", "middle", "interest", "visit", "busy",
    "million",
    # EH and AE
    "bed", "red", "head", "bread", "friend", "best", "help", "seven", "heavy", "ready", "many", "every", "lesson",
    "cat", "hat", "black", "glass", "grass", "happy", "family", "apple", "answer", "camera", "dance", "basket",
    "hand", "sand", "animal", "planet", "travel",
    # AH and OW
    "sun", "run", "cup", "under", "money", "country", "lucky", "hundred", "enough", "above", "lemon", "home", "stone",
    "road", "boat", "cold", "gold", "open", "window", "follow", "tomorrow", "piano", "radio", "hotel", "slow", "snow",
    # Z, and the consonants left over
    "zebra", "zipper", "reason", "season", "cousin", "razor", "closet", "either", "gather",
    "very", "valley", "zoo", "lazy", "dozen", "prize", "vase", "happen", "hello", "behind", "whole", "wheel", "wind",
    "queen", "question", "square", "six", "fox", "next", "gift", "left", "soft", "laugh", "coffee", "elephant",
    "photo", "gate", "goat", "egg", "bag", "dark", "desk", "cake",
)  # fmt: skip

// == LABELS ==
private val labels = text("labels.txt").removeSuffix("\n").split("\n")

// == TEXT_LABELS ==
private val labels = tokenizer.read("labels.txt").removeSuffix("\n").split("\n")

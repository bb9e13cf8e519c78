// == IMPORTS ==
import java.nio.ByteBuffer
import java.nio.ByteOrder

// == METHODS ==
/** A text, or the two of a pair. */
fun vectorOf(vararg texts: String): FloatArray = answersTo(tokenizer.sample(texts.toList()))

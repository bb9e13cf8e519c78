import android.content.Context
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
// __IMPORTS__
import org.json.JSONObject

/** __DOC__ Not for the main thread, nor for several threads at once. */
class __NAME__(context: Context, file: String, accelerator: Accelerator = Accelerator.CPU) : AutoCloseable {
    private val tokenizer = Tokenizer(context)
    private val settings = JSONObject(tokenizer.read("preprocessing.json"))
    // __TEXT_LABELS__
    // __FIELDS__
    private val model = CompiledModel.create(context.assets, file, CompiledModel.Options(accelerator), null)
    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

    // __METHODS__

    // __KOTLIN_SEARCH__

    private fun answersTo(sample: FloatArray): FloatArray {
        feed(sample)
        model.run(inputs, outputs)
        return outputs[0].readFloat()
    }

    // __FEEDS__

    override fun close() {
        model.close()
        tokenizer.close()
    }
}

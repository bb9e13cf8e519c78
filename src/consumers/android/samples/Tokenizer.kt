import android.content.Context
import android.os.Handler
import android.os.Looper
import android.webkit.WebView
import android.webkit.WebViewClient
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import org.json.JSONArray
import org.json.JSONObject

/**
 * Token ids of texts, by tokenizer.js in a WebView (of version 93 or later), which shows nothing and loads nothing. Not for the main
 * thread, on which a WebView answers. Fails where this phone gives other ids than those of example.json.
 */
class Tokenizer(context: Context) : AutoCloseable {
    private val assets = context.assets
    private val main = Handler(Looper.getMainLooper())
    private val engine = onMain<WebView> { it.complete(WebView(context)) }
    private val text = JSONObject(read("preprocessing.json")).getJSONObject("text")
    private val parts = strings(text.getJSONArray("parts"))

    init {
        onMain<Unit> { ready ->
            engine.settings.javaScriptEnabled = true
            engine.webViewClient = object : WebViewClient() {
                override fun onPageFinished(view: WebView, url: String) {
                    ready.complete(Unit)
                }
            }
            engine.loadUrl("about:blank")
        }
        evaluate(read("tokenizer.js"))
        ask("open", text.toString(), if (text.has("file")) read("tokenizer.json") else "null")
        val examples = JSONArray(read("example.json"))
        for (i in 0 until examples.length()) {
            val example = examples.getJSONObject(i)
            // __EXAMPLE__
            check(given contentEquals joined(example)) { "not the token ids that example.json holds" }
        }
    }

    // __SAMPLE__

    /** Content of an asset. */
    fun read(file: String) = assets.open(file).bufferedReader().use { it.readText() }

    override fun close() {
        main.post { engine.destroy() }
    }

    /** Answer of a function of the script to texts of JSON. */
    private fun ask(function: String, vararg inputs: String): JSONObject {
        val call = inputs.joinToString(", ", "tokenizer.$function(", ")") { JSONObject.quote(it) }
        val given = evaluate(call)
        check(given != "null") { "tokenizer.js does not run here: the WebView of this phone needs an update" }
        val answer = JSONObject(JSONArray("[$given]").getString(0))
        check(!answer.has("error")) { "tokenizer.js: " + answer.getString("error") }
        return answer
    }

    /** Value of a script, as JSON. */
    private fun evaluate(script: String) = onMain<String> { done ->
        engine.evaluateJavascript(script) { done.complete(it) }
    }

    private fun <T> onMain(work: (CompletableFuture<T>) -> Unit): T {
        check(Looper.myLooper() != Looper.getMainLooper()) { "a Tokenizer is made and asked on another thread than the main one" }
        val done = CompletableFuture<T>()
        main.post {
            try {
                work(done)
            } catch (error: Throwable) {
                done.completeExceptionally(error)
            }
        }
        return done.get(60, TimeUnit.SECONDS)
    }

    /** Input of the model for a sample: ids, and of a model of several inputs its mask and types too, one behind the other. */
    private fun joined(encoded: JSONObject) = parts.map { floats(encoded.getJSONArray(it)) }.reduce { all, part -> all + part }

    private fun strings(list: JSONArray) = List(list.length()) { list.getString(it) }

    private fun floats(list: JSONArray) = FloatArray(list.length()) { list.getInt(it).toFloat() }
}

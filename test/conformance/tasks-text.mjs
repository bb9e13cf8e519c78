/* global document */
/** A page's script: asks tasks of @mediapipe/tasks-text about texts. */

// Where the server of the test has the package.
const place = './package/text_bundle.mjs';
const { FilesetResolver, TextClassifier, TextEmbedder } = await import(place);

const files = await FilesetResolver.forTextTasks('./package/wasm');
const baseOptions = async (model) => {
  const bytes = await (await fetch(`./files/${model}`)).arrayBuffer();
  return { modelAssetBuffer: new Uint8Array(bytes), delegate: 'CPU' };
};

/** Label and score of the first class of each text. */
export async function classify(model, texts) {
  const classifier = await TextClassifier.createFromOptions(files, {
    baseOptions: await baseOptions(model),
    maxResults: 1,
  });
  const found = texts.map((text) => {
    const [{ categoryName, score }] = classifier.classify(text).classifications[0].categories;
    return [categoryName, score];
  });
  classifier.close();
  return found;
}

/** Vector of each text. */
export async function embed(model, texts) {
  const embedder = await TextEmbedder.createFromOptions(files, { baseOptions: await baseOptions(model) });
  const found = texts.map((text) => [...embedder.embed(text).embeddings[0].floatEmbedding]);
  embedder.close();
  return found;
}

globalThis.asked = { classify, embed };
document.title = 'ready';

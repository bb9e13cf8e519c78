/* global document, ImageData */
/** A page's script: asks tasks of @mediapipe/tasks-vision about pictures [count, size, size, 3] of bytes. */

// Where the server of the test has the package.
const place = './package/vision_bundle.mjs';
const { FilesetResolver, ImageClassifier, ImageEmbedder, ImageSegmenter, ObjectDetector } = await import(place);

const files = await FilesetResolver.forVisionTasks('./package/wasm');
const bytesOf = async (name) => new Uint8Array(await (await fetch(`./files/${name}`)).arrayBuffer());

async function* pictures(name, size) {
  const bytes = await bytesOf(name);
  const pixels = size * size;
  for (let from = 0; from < bytes.length; from += 3 * pixels) {
    const picture = new ImageData(size, size);
    picture.data.fill(255);
    for (let at = 0; at < pixels; at++) picture.data.set(bytes.subarray(from + 3 * at, from + 3 * at + 3), 4 * at);
    yield picture;
  }
}

const baseOptions = async (model) => ({ modelAssetBuffer: await bytesOf(model), delegate: 'CPU' });

/** Labels of a model, and the confidences of each pixel, class after class. */
export async function segment(model, name, size) {
  const options = { baseOptions: await baseOptions(model), runningMode: 'IMAGE', outputConfidenceMasks: true };
  const segmenter = await ImageSegmenter.createFromOptions(files, options);
  const confidences = [];
  for await (const picture of pictures(name, size)) {
    const found = segmenter.segment(picture);
    const masks = found.confidenceMasks.map((mask) => mask.getAsFloat32Array());
    for (let at = 0; at < size * size; at++) for (const mask of masks) confidences.push(mask[at]);
    found.close();
  }
  const labels = segmenter.getLabels();
  segmenter.close();
  return { labels, confidences };
}

/** Label and score of the first class of each picture. */
export async function classify(model, name, size) {
  const classifier = await ImageClassifier.createFromOptions(files, {
    baseOptions: await baseOptions(model),
    maxResults: 1,
  });
  const found = [];
  for await (const picture of pictures(name, size)) {
    const [{ categoryName, score }] = classifier.classify(picture).classifications[0].categories;
    found.push([categoryName, score]);
  }
  classifier.close();
  return found;
}

/** Vector of each picture. */
export async function embed(model, name, size) {
  const embedder = await ImageEmbedder.createFromOptions(files, { baseOptions: await baseOptions(model) });
  const found = [];
  for await (const picture of pictures(name, size))
    found.push([...embedder.embed(picture).embeddings[0].floatEmbedding]);
  embedder.close();
  return found;
}

/**
 * Boxes of each picture with a score of at least 0.3, as MediaPipe's demo asks for them, as a picture and as a frame of a video: label, score, left,
 * top, width and height in pixels.
 */
export async function detect(model, name, size) {
  const detector = await ObjectDetector.createFromOptions(files, {
    baseOptions: { modelAssetPath: `./files/${model}`, delegate: 'CPU' },
    scoreThreshold: 0.3,
    runningMode: 'IMAGE',
  });
  const boxesOf = ({ detections }) =>
    detections.map(({ categories: [{ categoryName, score }], boundingBox }) => {
      const { originX, originY, width, height } = boundingBox;
      return [categoryName, score, originX, originY, width, height];
    });
  const found = [];
  for await (const picture of pictures(name, size)) found.push(boxesOf(detector.detect(picture)));
  await detector.setOptions({ runningMode: 'VIDEO' });
  let at = 0;
  for await (const picture of pictures(name, size)) {
    const inVideo = boxesOf(detector.detectForVideo(picture, performance.now()));
    if (JSON.stringify(inVideo) !== JSON.stringify(found[at++]))
      throw new Error(`${model}: other boxes in a video, ${JSON.stringify(inVideo)}`);
  }
  detector.close();
  return found;
}

globalThis.asked = { segment, classify, embed, detect };
document.title = 'ready';

const Sequencer = require('@jest/test-sequencer').default;

/**
 * Files that take a minute or more, the slowest first: begun last, such a file would run alone at the end. Jest orders by time where it has run
 * before, and in a fresh clone by size.
 */
const SLOWEST = [
  ...['run/detection.long', 'run/kill', 'run/recipes', 'run/at-once.long', 'mutated/mutated.long', 'docs'],
  ...['run/detector-teacher.long', 'run/segmentation.long', 'serve/attacked.long', 'run/modes'],
  ...['tflite-keras-files', 'tflite-detection-score', 'tflite-converter', 'tflite-models'],
  ...['segmenter-training', 'static-embeddings', 'ptq', 'tokenizers-kit', 'onnx-pytorch', 'pipelines', 'resnet18'],
];

module.exports = class extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const found = SLOWEST.findIndex((name) => path.endsWith(`/${name}.test.ts`));
      return found === -1 ? SLOWEST.length : found;
    };
    return super.sort(tests).sort((a, b) => place(a) - place(b));
  }
};

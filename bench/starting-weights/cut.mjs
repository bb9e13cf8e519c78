/**
 * The first layers of the run of starting-weights.yaml, without its classifier, as an ONNX file for `student.backbone`, or as the .safetensors file that
 * the models of the registry begin with (src/networks/weights):
 *
 *     npm run -s build && node bench/starting-weights/cut.mjs checkpoints/starting-weights starting-weights.onnx
 *
 * Exported files have their batch norms folded into the convolutions; these weights, of the best epoch, are taken from the state of the run, so that batch
 * norms stay layers that are trained. The file takes pictures of any size. The same state gives the same bytes.
 */
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { lowerToOnnx } from '../../dist/formats/onnx/lower.js';
import { encodeModel } from '../../dist/formats/onnx/protobuf.js';
import { readSafetensors, safetensorsParts } from '../../dist/formats/safetensors.js';
import { freezeState } from '../../dist/graph/passes/constants/freeze-state.js';
import { layersNetwork } from '../../dist/networks/layers/layers.js';
import { buildModel } from '../../dist/networks/models/registry.js';
import { atBatchSize, contentOf } from '../../dist/networks/network.js';
import { evaluator } from '../../dist/runtime/onnxruntime/evaluator.js';
import { traceWithBatch } from '../../dist/trace/batch.js';
import { useLazyBackend } from '../../dist/trace/use.js';

const [run, file] = process.argv.slice(2);
if (file === undefined) {
  console.error('node bench/starting-weights/cut.mjs RUN FILE');
  process.exit(1);
}
/** Outputs of the file, by the layers that give them: the ends of the stages at strides 8, 16 and 32, and all layers before the classifier. */
const ENDS = {
  stride8: 'block6_out',
  stride16: 'block13_out',
  stride32: 'block16_out',
  features: 'block17_project_bn',
};
const BEST = 'best/';

useLazyBackend(evaluator);
const { recipe } = JSON.parse(readFileSync(path.join(run, 'recipe.json'), 'utf8'));
const { alpha } = recipe.student;
const [height, width] = recipe.dataset.resize;
const network = layersNetwork(
  buildModel('mobilenet-v2', {
    ...{ inputShape: [height, width, 3], classes: recipe.dataset.classes.length, seed: recipe.seed },
    options: { alpha },
  }),
);
const states = readdirSync(path.join(run, 'state')).filter((name) => name.endsWith('.safetensors'));
const latest = states.sort().at(-1);
if (latest === undefined) throw new Error(`${run}: has no state of a training`);
const { tensors, metadata } = readSafetensors(readFileSync(path.join(run, 'state', latest)), latest);
const weights = new Map(
  Array.from(contentOf(network), ([name, { type }]) => {
    const stored = tensors.get(`${BEST}${name}`);
    if (stored?.data.length !== type.shape.reduce((product, size) => product * size, 1))
      throw new Error(`${latest}: expected ${BEST}${name} [${type.shape}], received ${stored?.shape ?? 'nothing'}`);
    return [name, { type, data: stored.data }];
  }),
);
const epoch = `epoch ${JSON.parse(metadata.progress).best.epoch} of ${recipe.distill.epochs}`;
/** What is written about the weights in both kinds of files. */
const about = [
  ['preprocessing', JSON.stringify({ shape: [height, width, 3], scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] })],
  ['license', 'Apache-2.0, as of the teacher, EfficientNet-Lite0; the photographs are CC0-1.0'],
  [
    'source',
    `MobileNet v2 ${alpha}, distilled without labels from crops of photographs: bench/starting-weights of Limbeck`,
  ],
  ['recipe', recipe.name],
];
if (file.endsWith('.safetensors')) {
  const own = [...weights]
    .filter(([name]) => /^(stem|block)/.test(name))
    .map(([name, { type, data }]) => [name, { ...type, data }]);
  const parts = safetensorsParts({ tensors: new Map(own), metadata: Object.fromEntries(about) });
  writeFileSync(file, Buffer.concat(parts));
  console.log(`${file}: ${own.length} tensors, ${epoch}`);
  process.exit(0);
}
const traced = traceWithBatch((batch) => ({
  feeds: { pictures: atBatchSize(network.inputs.input, batch) },
  state: network.state,
  run: ({ pictures }) => {
    const { layers } = network.forward({ input: pictures }, { training: false, layers: Object.values(ENDS) });
    return Object.fromEntries(Object.entries(ENDS).map(([name, layer]) => [name, layers[layer]]));
  },
}));
const lowered = lowerToOnnx(freezeState(traced, weights), {
  name: recipe.name,
  metadata: new Map(about),
});
// The layers take pictures of every size whose sides are multiples of 32.
const open = ({ dims: [batch, , , channels], ...end }, part) => ({
  ...end,
  dims: [batch, `${part}height`, `${part}width`, channels],
});
const graph = {
  ...lowered.graph,
  // Runs name feature maps by the nodes that give them.
  nodes: lowered.graph.nodes.map((node) => (node.outputs[0] in ENDS ? { ...node, name: node.outputs[0] } : node)),
  inputs: lowered.graph.inputs.map((end) => open(end, '')),
  outputs: lowered.graph.outputs.map((end) => open(end, `${end.name}_`)),
};
const bytes = encodeModel({ ...lowered, graph });
writeFileSync(file, bytes);
console.log(`${file}: ${bytes.length} bytes, ${epoch}`);

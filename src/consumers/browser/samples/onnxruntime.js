import * as ort from 'onnxruntime-web/wasm';
import { answersIn, bytesOf, feedsOf, modelOf, prepare, start } from './kit.js';

ort.env.wasm.wasmPaths = new URL('./node_modules/onnxruntime-web/dist/', import.meta.url).href;
ort.env.wasm.numThreads = 1;
const model = modelOf('onnx');
const session = await ort.InferenceSession.create(await bytesOf(model));

await start(async (raw) => {
  const fed = feedsOf(model, prepare(raw)).map(({ name, dtype, data, shape }) => [name, new ort.Tensor(dtype, data, shape)]);
  const results = await session.run(Object.fromEntries(fed));
  return answersIn(model, (name) => results[name].data);
});

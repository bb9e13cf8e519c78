import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { answersIn, bytesOf, feedsOf, modelOf, prepare, start } from './kit.js';

await loadLiteRt('./node_modules/@litertjs/core/wasm/');
const model = modelOf('tflite');
const compiled = await loadAndCompile(await bytesOf(model), { accelerator: 'wasm' });

await start(async (raw) => {
  const fed = feedsOf(model, prepare(raw)).map(({ name, data, shape }) => [name, new Tensor(data, shape)]);
  const results = await compiled.run(Object.fromEntries(fed));
  const logits = answersIn(model, (name) => results[name].toTypedArray());
  for (const tensor of [...fed.map(([, one]) => one), ...Object.values(results)]) tensor.delete();
  return logits;
});

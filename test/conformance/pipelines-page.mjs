/* global document */
/** A page's script: opens folders with pipeline() of transformers.js. Nothing comes from another address than that of the page. */
import { answersOf } from './pipelines-ask.mjs';

// Where the server of the test has the package.
const place = '/package/@huggingface/transformers/dist/transformers.web.js';
const { env, pipeline } = await import(place);

const runtime = new URL('./package/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify', document.baseURI).href;
env.backends.onnx.wasm.wasmPaths = { mjs: `${runtime}.mjs`, wasm: `${runtime}.wasm` };
Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/folders/' });
Object.assign(env, { useBrowserCache: false, useWasmCache: false });

globalThis.asked = { answersOf: (one) => answersOf(pipeline, one) };
document.title = 'ready';

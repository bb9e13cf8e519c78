const { TestEnvironment } = require('jest-environment-node');
require('./code-cache.cjs');

/** The host realm's typed arrays: onnxruntime-node checks `instanceof` against them, and jest's sandbox has its own. */
const NAMES = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
];
const MORE = [
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'ArrayBuffer',
  'SharedArrayBuffer',
  'DataView',
  'Float16Array',
];

/**
 * A worker whose event loop is empty has left nothing open, and ends at once. Left to itself it first gives back its sessions and its heap, of
 * up to 700 MB, which on a busy machine takes longer than the half second after which jest says that it has failed to exit gracefully.
 * A worker in which something is left open does not come here: of that one jest still says so.
 */
if (process.send !== undefined) process.once('beforeExit', () => process.kill(process.pid, 'SIGKILL'));

module.exports = class NativeTypedArrays extends TestEnvironment {
  // Not in `setup`, which jest calls after the setup files: modules that these load would have the sandbox's.
  constructor(...given) {
    super(...given);
    for (const name of [...NAMES, ...MORE]) if (name in globalThis) this.global[name] = globalThis[name];
  }
};

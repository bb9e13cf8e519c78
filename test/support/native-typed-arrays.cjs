const { TestEnvironment } = require('jest-environment-node');

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

module.exports = class NativeTypedArrays extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of [...NAMES, ...MORE]) if (name in globalThis) this.global[name] = globalThis[name];
  }
};

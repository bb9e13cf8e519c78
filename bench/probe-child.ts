/** Prints which devices and engines work here, as a JSON line. A process of its own: a probed library keeps memory of the GPU. */
import '../src/features.ts';
import type { EngineName } from '../src/recipe/engines.ts';
import { devices } from '../src/runtime/onnxruntime/devices/devices.ts';
import { engines } from '../src/runtime/engine-registry.ts';
import { engineRow } from '../src/runtime/engines.ts';

const others = engines.names().filter((name) => name !== 'onnxruntime');
const found = await Promise.all(
  others.map(async (name) => ({ name, ...(await engineRow(name as EngineName)).status() })),
);
console.log(JSON.stringify([...devices(), ...found]));

/** Prints which devices and engines work here, as a JSON line. A process of its own: a probed library keeps memory of the GPU. */
import '../src/features.ts';
import { ENGINE_NAMES } from '../src/recipe/engines.ts';
import { devices } from '../src/runtime/onnxruntime/devices/devices.ts';
import { engines } from '../src/runtime/engines.ts';

const others = ENGINE_NAMES.filter((name) => name !== 'onnxruntime');
console.log(JSON.stringify([...devices(), ...others.map((name) => ({ name, ...engines[name].status() }))]));

/** Prints which devices and engines work here, as a JSON line. A process of its own: a probed library keeps memory of the GPU. */
import { devices } from '../src/runtime/devices/devices.ts';
import { tensorFlowStatus } from '../src/runtime/tensorflow.ts';

console.log(JSON.stringify([...devices(), { name: 'tensorflow', ...tensorFlowStatus() }]));

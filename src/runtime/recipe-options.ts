import type { Recipe } from '../recipe/schema.ts';
import { chooseDevice, isUsable } from './devices/devices.ts';
import { sessionOptions } from './onnxruntime.ts';
import type { SessionOptions } from './onnxruntime/session.ts';

/**
 * Session options for a recipe's ONNX files: teachers and exports. With the engine tensorflow they run on its device if ONNX Runtime supports that
 * too, else on the cpu.
 */
export function sessionOptionsOf({
  engine,
  device,
  threads,
}: Pick<Recipe, 'device' | 'threads'> & Partial<Pick<Recipe, 'engine'>>): SessionOptions {
  const usable = engine !== 'tensorflow' || device === 'auto' || isUsable(device);
  return sessionOptions(chooseDevice(usable ? device : 'cpu'), { threads });
}

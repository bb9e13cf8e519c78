import type { Recipe } from '../recipe/schema.ts';
import { engineFacts } from '../recipe/engines.ts';
import { chooseDevice, isUsable } from './onnxruntime/devices/devices.ts';
import { sessionOptions } from './onnxruntime/session-choice.ts';
import { openerOf } from './inference.ts';
import type { SessionOptions } from './onnxruntime/session.ts';

/**
 * Session options for a recipe's ONNX files: teachers and exports. Beside an engine with devices of its own they run on its device if
 * ONNX Runtime supports that too, else on the cpu.
 */
export function sessionOptionsOf({
  engine = 'auto',
  device,
  threads,
}: Pick<Recipe, 'device' | 'threads'> & Partial<Pick<Recipe, 'engine'>>): SessionOptions {
  const usable = !engineFacts(engine).hasOwnDevices || device === 'auto' || isUsable(device);
  return sessionOptions(chooseDevice(usable ? device : 'cpu'), { threads });
}

/** Opens models for a recipe, in sessions with `sessionOptionsOf`. */
export function openerFor(recipe: Parameters<typeof sessionOptionsOf>[0]): ReturnType<typeof openerOf> {
  return openerOf(sessionOptionsOf(recipe));
}

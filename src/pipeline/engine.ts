import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from '../runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../runtime/onnxruntime.ts';

/** The engine that a recipe asks for; `UserError` if this machine cannot give it. */
export function engineOf({ device, threads }: Pick<Recipe, 'device' | 'threads'>): Engine {
  return createOnnxRuntimeEngine({ device, threads });
}

import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from '../runtime/engine.ts';
import { evaluator } from '../runtime/evaluator.ts';
import { chooseDevice } from '../runtime/devices.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../runtime/onnxruntime.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { createTensorFlowEngine } from '../runtime/tensorflow.ts';
import { useLazyBackend } from '../trace/use.ts';

/** The engine that a recipe asks for, and tfjs set up for it; `UserError` if this machine cannot give it. */
export function engineOf({
  engine,
  device,
  threads,
  stepsPerCall,
}: Pick<Recipe, 'engine' | 'device' | 'threads' | 'stepsPerCall'>): Engine {
  useLazyBackend(evaluator);
  if (engine === 'tensorflow') return createTensorFlowEngine(device);
  return createOnnxRuntimeEngine({ device, threads, stepsPerCall });
}

/** How ONNX files are run for a recipe: teachers and exports. */
export function sessionOptionsOf({ device, threads }: Pick<Recipe, 'device' | 'threads'>): SessionOptions {
  return sessionOptions(chooseDevice(device), { threads });
}

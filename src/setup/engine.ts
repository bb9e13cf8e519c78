import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from '../runtime/engine.ts';
import { evaluator } from '../runtime/onnxruntime/evaluator.ts';
import { createOnnxRuntimeEngine } from '../runtime/onnxruntime.ts';
import { createTensorFlowEngine } from '../runtime/tensorflow.ts';
import { asksSavedModel } from './runnable.ts';
import { useLazyBackend } from '../trace/use.ts';

/** Creates the engine that a recipe asks for, and sets tfjs up for it; `UserError` if this machine cannot run it. */
export function engineOf({
  engine,
  device,
  threads,
  stepsPerCall,
}: Pick<Recipe, 'engine' | 'device' | 'threads' | 'stepsPerCall'>): Engine {
  useLazyBackend(evaluator);
  if (engine === 'tensorflow') return createTensorFlowEngine(device, threads);
  return createOnnxRuntimeEngine({ device, threads, stepsPerCall });
}

/** Loads libtensorflow for a SavedModel teacher, with the recipe's settings; `UserError` if it is missing or broken. */
export function prepareSavedModels({ teacher, device, threads }: Pick<Recipe, 'teacher' | 'device' | 'threads'>): void {
  if (asksSavedModel(teacher)) createTensorFlowEngine(device === 'cpu' ? 'cpu' : 'auto', threads);
}

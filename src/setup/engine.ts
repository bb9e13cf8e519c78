import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from '../runtime/engine.ts';
import { evaluator } from '../runtime/onnxruntime/evaluator.ts';
import { engineRow } from '../runtime/engines.ts';
import { createTensorFlowEngine } from '../runtime/tensorflow/engine.ts';
import { asksSavedModel } from './runnable.ts';
import { useLazyBackend } from '../trace/use.ts';

/** Creates the engine that a recipe asks for, and sets tfjs up for it; `UserError` if this machine cannot run it. */
export function engineOf({
  engine,
  ...settings
}: Pick<Recipe, 'engine' | 'device' | 'threads' | 'stepsPerCall'>): Engine {
  useLazyBackend(evaluator);
  return engineRow(engine).create(settings);
}

/** Loads libtensorflow for a SavedModel teacher, with the recipe's settings; `UserError` if it is missing or broken. */
export function prepareSavedModels({ teacher, device, threads }: Pick<Recipe, 'teacher' | 'device' | 'threads'>): void {
  if (asksSavedModel(teacher)) createTensorFlowEngine(device === 'cpu' ? 'cpu' : 'auto', threads);
}

import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from '../runtime/engine.ts';
import { evaluator } from '../runtime/evaluator.ts';
import { chooseDevice, isUsable } from '../runtime/devices.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../runtime/onnxruntime.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { createTensorFlowEngine } from '../runtime/tensorflow.ts';
import { asksSavedModel } from './runnable.ts';
import { useLazyBackend } from '../trace/use.ts';

/** The engine that a recipe asks for, and tfjs set up for it; `UserError` if this machine cannot give it. */
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

/** Loads what a TensorFlow teacher runs on, with the recipe's settings; `UserError` if it is not there or broken. */
export function prepareSavedModels({ teacher, device, threads }: Pick<Recipe, 'teacher' | 'device' | 'threads'>): void {
  if (asksSavedModel(teacher)) createTensorFlowEngine(device === 'cpu' ? 'cpu' : 'auto', threads);
}

/**
 * How ONNX files are run for a recipe: teachers and exports. With the engine tensorflow that is beside the training: on its
 * device where ONNX Runtime has that too, else on the cpu.
 */
export function sessionOptionsOf({
  engine,
  device,
  threads,
}: Pick<Recipe, 'device' | 'threads'> & Partial<Pick<Recipe, 'engine'>>): SessionOptions {
  const usable = engine !== 'tensorflow' || device === 'auto' || isUsable(device);
  return sessionOptions(chooseDevice(usable ? device : 'cpu'), { threads });
}

import { prepareTeacher } from '../distill/teachers/formats.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from '../runtime/engine.ts';
import { evaluator } from '../runtime/onnxruntime/evaluator.ts';
import { engineRow } from '../runtime/engines.ts';
import { useLazyBackend } from '../trace/use.ts';

/** Creates the engine that a recipe asks for, and sets tfjs up for it; `UserError` if this machine cannot run it. */
export async function engineOf({
  engine,
  ...settings
}: Pick<Recipe, 'engine' | 'device' | 'threads' | 'stepsPerCall'>): Promise<Engine> {
  const { create } = await engineRow(engine);
  useLazyBackend(evaluator);
  return create(settings);
}

/** The engine of a run; before anything is read, libraries of its teachers are loaded too. `UserError` if one is missing or broken. */
export async function engineOfRun(
  recipe: Pick<Recipe, 'engine' | 'device' | 'threads' | 'stepsPerCall' | 'teacher'>,
): Promise<Engine> {
  const engine = await engineOf(recipe);
  await prepareTeacher(recipe);
  return engine;
}

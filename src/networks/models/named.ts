import type { LayersModel } from '@tensorflow/tfjs-layers';
import { answersFor, buildOf, familyOf } from './families.ts';
import type { BuildModelArgs } from './families.ts';

/** `buildModel` that loads the module of the asked family alone. */
export async function buildNamed(name: string, args: BuildModelArgs): Promise<LayersModel> {
  const family = await familyOf(name);
  if (family !== undefined && answersFor(family, args)) return buildOf(name, family, args);
  // Refuses, with the names of all families.
  return (await import('./registry.ts')).buildModel(name, args);
}

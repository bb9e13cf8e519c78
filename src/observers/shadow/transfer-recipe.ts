import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { exists, readText, writeFileAtomic } from '../../base/files.ts';
import { refuseExcess } from '../../recipe/yaml.ts';

const stating = z.object({ dataset: z.object({ classes: z.array(z.union([z.string(), z.number(), z.boolean()])) }) });

/**
 * Names of the classes of a transfer set, in the order of its rows: those that its `recipe.yaml` states, else `labels`, which are then written
 * there. That is the beginning of a recipe that learns from the set. It names all classes, so that a student keeps the model's outputs though
 * samples of some classes were never kept. `UserError` where nothing says the order of samples that are there.
 */
export async function transferClasses(
  folder: string,
  { labels, classes, rows }: { labels: readonly string[] | undefined; classes: number; rows: number },
): Promise<readonly string[]> {
  const file = path.join(folder, 'recipe.yaml');
  const isThere = await exists(file);
  const stated = isThere ? statedIn(await readText(file), file) : undefined;
  if (stated?.length === classes) return stated;
  if (isThere || rows > 0)
    throw new UserError(
      `${file}: expected \`dataset.classes\`, the ${classes} classes in the order of the ${rows} samples kept beside it, received ${stated?.length ?? 'none'}`,
      'Name another folder with --keep, or write the recipe again that was there when it was begun.',
    );
  const names = labels?.length === classes ? labels : Array.from({ length: classes }, (_, i) => String(i));
  await writeFileAtomic(
    file,
    `# Samples that a model answered otherwise than its teacher. Add a student, and a test split of your own.
dataset:
  type: npz
  train: { samples: samples.npy, labels: labels.npy }
  classes: ${JSON.stringify(names)}
teacher: { logits: logits.npy }
`,
  );
  return names;
}

function statedIn(recipe: string, file: string): readonly string[] | undefined {
  refuseExcess(recipe, file);
  try {
    return stating.safeParse(parse(recipe, { logLevel: 'silent' })).data?.dataset.classes.map(String);
  } catch {
    return undefined;
  }
}

import path from 'node:path';
import { exists, writeFileAtomic } from '../../base/files.ts';

/**
 * The beginning of a recipe that learns from a transfer set, written beside it as `recipe.yaml` where none is yet. It names all
 * classes, so that a student keeps the model's outputs though samples of some classes were never kept.
 */
export async function writeTransferRecipe(
  folder: string,
  { labels, classes }: { labels: readonly string[] | undefined; classes: number },
): Promise<void> {
  const file = path.join(folder, 'recipe.yaml');
  if (await exists(file)) return;
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
}

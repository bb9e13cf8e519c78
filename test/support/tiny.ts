import { writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Two classes that a line separates, as CSV. */
export async function writeData(folder: string, name = 'data.csv', rows = 200): Promise<void> {
  const lines = Array.from({ length: rows }, (_, i) => {
    const [a, b] = [Math.sin(i * 12.9898), Math.cos(i * 78.233)];
    return `${a.toFixed(4)},${b.toFixed(4)},${a + b > 0 ? 'yes' : 'no'}`;
  });
  await writeFile(path.join(folder, name), `a,b,label\n${lines.join('\n')}\n`);
}

const RECIPE = `name: tiny
dataset: { type: csv, train: data.csv, testFraction: 0.2 }
teacher: { train: { model: mlp, hidden: [16], epochs: 5, batchSize: 16 } }
student: { model: mlp, hidden: [2] }
distill: { epochs: 5, batchSize: 16 }
report: { latency: { seconds: 0 } }
`;

/** `tiny.yaml`, a recipe for that data whose run takes a second. */
export async function writeRecipe(folder: string, text = RECIPE): Promise<void> {
  await writeFile(path.join(folder, 'tiny.yaml'), text);
}

// == MODULES ==
import { suppressed } from './suppression.js';

// == DOC ==
/** Sides of the boxes [points, 4] as shares of the picture's width and height, then logits [points, classes]. */

// == HELPER ==
const [, height, width] = input.shape;

/** Boxes with a score of at least 0.3, the highest first: label, score, and sides in pixels of the model's input. */
function detected(answers) {
  const points = answers.length / (4 + names.length);
  const scores = answers.slice(4 * points).map((logit) => 1 / (1 + Math.exp(-logit)));
  const row = suppressed(answers.slice(0, 4 * points), scores, { minScore: 0.3 });
  const found = [];
  for (let at = 0; at < row.length && row[at] >= 0; at += 6)
    found.push({
      label: names[row[at]],
      score: row[at + 1],
      box: [width * row[at + 2], height * row[at + 3], width * row[at + 4], height * row[at + 5]],
    });
  return found;
}

// == EACH ==
const expected = sample[output.answers];
// __TAKE__
const answers = await answersOf(raw);
const found = detected(answers);
const said = found.map(({ label, score, box }) => label + ' ' + (100 * score).toFixed(1) + ' % at ' + box.map(Math.round).join(', '));
console.log(said.join('; ') || 'nothing');
if (expected?.some((value, i) => Math.abs(value - answers[i]) > 1e-3 * Math.max(1, Math.abs(value)))) {
  console.error('not what example.json holds');
  process.exitCode = 1;
}

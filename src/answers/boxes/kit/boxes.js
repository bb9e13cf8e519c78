/** Boxes with at least the score that preprocessing.json says, the highest first: label, score, and sides in pixels of a picture of this size. */
function detected(answers, size) {
  const place = placeIn(size, input.shape.slice(1, 3), input.fit);
  const points = answers.length / (4 + labels.length);
  const scores = answers.slice(4 * points).map((logit) => 1 / (1 + Math.exp(-logit)));
  const row = suppressed(answers.slice(0, 4 * points), scores, { minScore: output.threshold, iou: output.overlap });
  const found = [];
  for (let at = 0; at < row.length && row[at] >= 0; at += 6) {
    const [index, score, left, top, right, bottom] = row.slice(at, at + 6);
    const box = [...inPicture([left, top], size, place), ...inPicture([right, bottom], size, place)];
    found.push({ index, label: labels[index], score, box });
  }
  return found;
}

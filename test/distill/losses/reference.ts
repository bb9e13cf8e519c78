/**
 * The losses once more, in plain double precision, from the papers' formulas and without any tensor library: what the tensor
 * versions are compared with. Rows are samples, columns classes; `w` weighs samples.
 */
type Matrix = readonly (readonly number[])[];

export interface Case {
  readonly student: Matrix;
  readonly teacher: Matrix;
  readonly targets: Matrix;
  readonly w: readonly number[];
}

type Hyper = Readonly<Record<string, number>>;

const sum = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0);
const mean = (x: readonly number[]): number => sum(x) / x.length;
const logSumExp = (x: readonly number[]): number => {
  const max = Math.max(...x);
  return max + Math.log(sum(x.map((v) => Math.exp(v - max))));
};
const logSoftmax = (x: readonly number[]): number[] => x.map((v) => v - logSumExp(x));
const softmax = (x: readonly number[]): number[] => logSoftmax(x).map(Math.exp);
const scale = (x: readonly number[], by: number): number[] => x.map((v) => v * by);
const weighted = (values: readonly number[], w: readonly number[]): number =>
  sum(values.map((v, i) => v * w[i]!)) / sum(w);
/** KL from log-probabilities, with 0 · log 0 = 0. */
const kl = (logP: readonly number[], logQ: readonly number[]): number =>
  sum(logP.map((p, i) => (Math.exp(p) === 0 ? 0 : Math.exp(p) * (p - logQ[i]!))));

function crossEntropy({ student, targets, w }: Case, smoothing: number): number {
  const rows = student.map((z, i) => {
    const log = logSoftmax(z);
    return -sum(log.map((v, k) => v * ((1 - smoothing) * targets[i]![k]! + smoothing / z.length)));
  });
  return weighted(rows, w);
}

function softened(student: Matrix, teacher: Matrix, w: readonly number[], t: number): number {
  const rows = student.map((z, i) => kl(logSoftmax(scale(teacher[i]!, 1 / t)), logSoftmax(scale(z, 1 / t))));
  return t * t * weighted(rows, w);
}

function standardized(z: readonly number[]): number[] {
  const m = mean(z);
  const deviation = Math.sqrt(sum(z.map((v) => (v - m) ** 2)) / (z.length - 1));
  return z.map((v) => (v - m) / deviation);
}

function decoupled({ student, teacher, targets, w }: Case, h: Hyper): number {
  const t = h.temperature!;
  const rows = student.map((z, i) => {
    const k = targets[i]!.indexOf(Math.max(...targets[i]!));
    const parts = [teacher[i]!, z].map((row) => {
      const logits = scale(row, 1 / t);
      const others = logits.filter((_, j) => j !== k);
      const total = logSumExp(logits);
      return { binary: [logits[k]! - total, logSumExp(others) - total], others: logSoftmax(others) };
    });
    const [p, q] = parts as [(typeof parts)[0], (typeof parts)[0]];
    return h.targetWeight! * kl(p.binary, q.binary) + h.nonTargetWeight! * kl(p.others, q.others);
  });
  return t * t * weighted(rows, w);
}

function pearson(a: readonly number[], b: readonly number[], w: readonly number[]): number {
  const [x, y] = [a, b].map((v) => v.map((entry) => entry - weighted(v, w))) as [number[], number[]];
  const product = (p: readonly number[], q: readonly number[]): number => sum(p.map((v, i) => v * q[i]! * w[i]!));
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

function relations({ student, teacher, w }: Case, h: Hyper): number {
  const t = h.temperature!;
  const soften = (m: Matrix): Matrix => m.map((z) => softmax(scale(z, 1 / t)));
  const [p, q] = [soften(student), soften(teacher)];
  const even = p[0]!.map(() => 1);
  const inter =
    1 -
    weighted(
      p.map((row, i) => pearson(row, q[i]!, even)),
      w,
    );
  const column = (m: Matrix, k: number): number[] => m.map((row) => row[k]!);
  const intra = 1 - mean(even.map((_, k) => pearson(column(p, k), column(q, k), w)));
  return t * t * (h.interWeight! * inter + h.intraWeight! * intra);
}

function transformed({ student, teacher, w }: Case, h: Hyper, weighs: boolean): number {
  const gamma = 1 / h.temperature!;
  const rows = student.map((z, i) => {
    const powers = softmax(teacher[i]!).map((p) => p ** gamma);
    const total = sum(powers);
    return (
      (weighs ? total : 1) *
      kl(
        powers.map((p) => Math.log(p / total)),
        logSoftmax(z),
      )
    );
  });
  return weighted(rows, w);
}

function normalized({ student, teacher, targets, w }: Case, h: Hyper): number {
  const t = h.temperature!;
  const rows = student.map((z, i) => {
    const k = targets[i]!.indexOf(Math.max(...targets[i]!));
    const others = (row: readonly number[]): number[] =>
      scale(
        row.filter((_, j) => j !== k),
        1 / t,
      );
    const target = softmax(teacher[i]!)[k]! * logSoftmax(z)[k]!;
    const [p, q] = [softmax(others(teacher[i]!)), logSoftmax(others(z))];
    return -target - h.nonTargetWeight! * t * t * sum(p.map((v, j) => v * q[j]!));
  });
  return weighted(rows, w);
}

const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((v, i) => v * b[i]!));

function levels({ student, teacher, w }: Case, h: Hyper): number {
  const terms = [2, 3, 4, 5, 6].map((n) => {
    const t = (h.temperature! * n) / 4;
    const [p, q] = [teacher, student].map((m) => m.map((z) => softmax(scale(z, 1 / t)))) as [number[][], number[][]];
    const samples = w.flatMap((a, i) => w.map((b, j) => a * b * (dot(p[i]!, p[j]!) - dot(q[i]!, q[j]!)) ** 2));
    const moment = (m: number[][], k: number, l: number): number => sum(m.map((row, i) => w[i]! * row[k]! * row[l]!));
    const classes = p[0]!.flatMap((_, k) => p[0]!.map((__, l) => (moment(p, k, l) - moment(q, k, l)) ** 2));
    return (
      h.instanceWeight! * softened(student, teacher, w, t) +
      (h.batchWeight! * sum(samples)) / sum(w) +
      (h.classWeight! * sum(classes)) / p[0]!.length
    );
  });
  return sum(terms);
}

const blend = (of: Case, h: Hyper, soft: number): number =>
  h.alpha! * soft + (1 - h.alpha!) * crossEntropy(of, h.labelSmoothing!);

export const reference: Readonly<Record<string, (of: Case, hyper: Hyper) => number>> = {
  ce: (of, h) => crossEntropy(of, h.labelSmoothing!),
  kd: (of, h) => blend(of, h, softened(of.student, of.teacher, of.w, h.temperature!)),
  'kd-standardized': (of, h) =>
    blend(of, h, softened(of.student.map(standardized), of.teacher.map(standardized), of.w, h.temperature!)),
  dkd: (of, h) => blend(of, h, decoupled(of, h)),
  dist: (of, h) => blend(of, h, relations(of, h)),
  ttm: (of, h) => blend(of, h, transformed(of, h, false)),
  wttm: (of, h) => blend(of, h, transformed(of, h, true)),
  nkd: (of, h) => blend(of, h, normalized(of, h)),
  mlld: (of, h) => blend(of, h, levels(of, h)),
  // Of two views that are the same.
  crld: (of, h) => {
    const sure = of.teacher.map((row) => Math.max(...softmax(row)));
    const weight = sure.map((p) => Number(p >= h.within!) * h.withinWeight! + Number(p >= h.across!) * h.acrossWeight!);
    const t = h.temperature!;
    const apart = of.student.map((z, i) => kl(logSoftmax(scale(of.teacher[i]!, 1 / t)), logSoftmax(scale(z, 1 / t))));
    const soft =
      2 *
      t *
      t *
      weighted(
        apart.map((value, i) => value * weight[i]!),
        of.w,
      );
    return blend(of, h, soft) + (1 - h.alpha!) * crossEntropy(of, h.labelSmoothing!);
  },
  mse: (of, h) =>
    blend(
      of,
      h,
      weighted(
        of.student.map((z, i) => mean(z.map((v, k) => (v - of.teacher[i]![k]!) ** 2))),
        of.w,
      ),
    ),
  mutual: (of, h) =>
    crossEntropy(of, h.labelSmoothing!) + h.peerWeight! * softened(of.student, of.teacher, of.w, h.temperature!),
};

/** Central differences of a reference loss by the student's logits, row-major. */
export function referenceGradient(name: string, of: Case, hyper: Hyper): number[] {
  const step = 1e-5;
  const at = (i: number, k: number, by: number): number => {
    const student = of.student.map((row, r) => row.map((v, c) => (r === i && c === k ? v + by : v)));
    return reference[name]!({ ...of, student }, hyper);
  };
  return of.student.flatMap((row, i) => row.map((_, k) => (at(i, k, step) - at(i, k, -step)) / (2 * step)));
}

import { DRAWN } from '../../src/report/answer-figures.ts';
import { fileOf, stageOf } from '../../src/report/artifact.ts';
import type { LatencyRow, ModelRow, Report } from '../../src/report/types.ts';

await DRAWN.loadAll();

const latency = (scale: number): LatencyRow[] =>
  [1, 8].flatMap((batchSize) => [
    {
      runtime: 'onnxruntime',
      device: 'cpu',
      batchSize,
      threads: 1,
      p50Ms: scale * batchSize,
      p95Ms: 1.2 * scale * batchSize,
      p99Ms: 2 * scale * batchSize,
      throughputPerSecond: 1000 / scale,
      intervalMs: [0.9 * scale * batchSize, 1.1 * scale * batchSize],
      runs: 50,
      sessions: 8,
      memoryBytes: 2e6,
    },
  ]);

const model = (role: 'teacher' | 'scratch' | 'distilled', bytes: number, test: number, scale: number): ModelRow => ({
  id: role,
  model: { role, repeat: 0 },
  stage: stageOf({ role, repeat: 0 }),
  format: 'onnx',
  precision: 'fp32',
  params: bytes / 4,
  macs: bytes * 2,
  sizeBytes: bytes,
  gzipBytes: Math.round(0.9 * bytes),
  file: fileOf({ model: { role, repeat: 0 }, format: 'onnx', precision: 'fp32' }),
  score: { validation: test + 0.01, test },
  seconds: 75,
  latency: latency(scale),
  confusion: {
    split: 'test',
    counts: [
      [90, 10],
      [Math.round(100 * (1 - test)), Math.round(100 * test)],
    ],
  },
  calibration: {
    split: 'test',
    ece: 0.031,
    confidence: 0.97,
    bins: Array.from({ length: 15 }, (_, i) =>
      i < 13
        ? { samples: 0, confidence: null, accuracy: null }
        : { samples: 100, confidence: i === 13 ? 0.9 : 0.99, accuracy: test },
    ),
  },
  classFigures: { split: 'test', auc: 0.9712, macroF1: test - 0.01, logLoss: 0.2345 },
  ...(role !== 'teacher' && {
    usual: {
      ...{ split: 'test', samples: 200, classes: [100, 100] },
      confidence: { edges: [0.9, 0.99], counts: [60, 70, 70] },
      entropy: { edges: [0.01], counts: [100, 100] },
    },
    agreement: { split: 'test', bothRight: 180, onlyTeacher: 9, onlyThis: 4, sameError: 5, differentErrors: 2 },
  }),
});

const curve = (stage: string, loss: number) => ({
  stage,
  bestEpoch: 2,
  epochs: [1, 2, 3].map((epoch) => ({ epoch, loss: loss / epoch, score: 0.7 + epoch / 20, validation: 0.75 })),
});

/** A report with everything that a report can have. Its class names are as hostile as class names get. */
export const example: Report = {
  version: 3,
  name: 'example',
  seed: 7,
  status: 'complete',
  wallSeconds: 170.2,
  machine: {
    cpu: 'CPU <b>',
    cores: 2,
    memoryBytes: 8e9,
    platform: 'linux x64',
    node: '20.1.0',
    engine: 'onnxruntime',
    device: 'cpu',
  },
  score: { name: 'accuracy', unit: 'fraction', better: 'higher' },
  dataset: {
    type: 'idx',
    task: 'classification',
    classes: 2,
    classNames: ['<script>alert(1)</script>', `"><img src=x onerror='alert(2)'>\u0001 & co`],
    sampleShape: [28, 28, 1],
    samples: { train: 54000, validation: 6000, test: 200 },
  },
  teacher: { source: 'teacher.onnx', store: 'fp16', views: 1, seconds: 21.3, savedSeconds: 190, bytes: 1080000 },
  models: [
    model('teacher', 3_000_000, 0.95, 6),
    model('scratch', 200_000, 0.9, 1.1),
    model('distilled', 200_000, 0.946, 1),
  ],
  verdict: {
    result: 'BEATS',
    gain: 0.046,
    interval: [0.03, 0.06],
    repeats: 3,
    gains: [0.04, 0.046, 0.052],
    sentence: '+4.60 points',
  },
  channels: [
    {
      model: 'pruned-1',
      rows: [
        { layers: ['<stem>', 'add'], before: 32, after: 24 },
        { layers: ['pointwise'], before: 64, after: 64 },
      ],
      left: [{ what: 'head', why: 'its channels are the outputs of the <model>' }],
    },
    {
      model: 'pruned-2',
      rows: [
        { layers: ['<stem>', 'add'], before: 24, after: 16 },
        { layers: ['pointwise'], before: 64, after: 40 },
      ],
      left: [{ what: 'head', why: 'its channels are the outputs of the <model>' }],
    },
  ],
  pruningSensitivity: {
    model: 'distilled',
    score: 0.95,
    rows: [
      { layers: ['<stem>', 'add'], channels: 32, kept: 24, score: 0.9, drop: 0.05 },
      { layers: ['<stem>', 'add'], channels: 32, kept: 16, score: 0.7, drop: 0.25 },
      { layers: ['pointwise'], channels: 64, kept: 32, score: 0.952, drop: -0.002 },
    ],
  },
  parity: [{ file: 'exports/distilled.onnx', samples: 512, top1Agreement: 1, largestError: 1.2e-6 }],
  training: [curve('teach', 1), curve('scratch', 2), curve('distill', 15)],
  measurement: { seconds: 3, versions: { 'onnxruntime-node': '1.30.0' }, cpuFeatures: ['AVX2'], loadAverage: 1.9 },
  remeasured: [
    {
      measuredAt: '2026-01-02T03:04:05.000Z',
      versions: { 'onnxruntime-web': '1.30.0' },
      loadAverage: null,
      skipped: [{ what: 'WebGPU', why: 'this browser has <none>' }],
    },
  ],
  stages: [
    {
      stage: 'teach',
      seconds: 190,
      score: { validation: 0.96 },
      traffic: { calls: 1234, stateMoves: 7, stateBytes: 2_500_000, dataBytes: 30_000_000 },
    },
    { stage: 'measure exports/distilled.onnx', seconds: 1.5, score: { validation: 0.956, test: 0.946 } },
  ],
  quantizationSensitivity: {
    ...{ model: 'distilled', precision: 'int8', samples: 512, score: 0.95 },
    rows: [
      { layer: 'conv<1>', noise: 0.001, drop: 0.004 },
      { layer: 'dense', noise: 0.1, drop: 0.052 },
    ],
  },
  environment: {
    limbeck: '0.1.0',
    system: 'linux 6.1',
    packages: { 'onnxruntime-node': '1.30.0' },
    cpuFeatures: ['AVX2'],
  },
  recipe: { name: 'example', distill: { temperature: 4, note: '</pre><script>' } },
  notes: ['latency of <teacher> on 4 threads was not measured: there are 2 cores'],
};

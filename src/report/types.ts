import type { UsualAnswers } from '../measure/usual.ts';
import type { Form, ModelRef } from './artifact.ts';
import type { ErrorReport, LabelReport } from '../tasks/described.ts';
import type { TaskName } from '../recipe/task.ts';
import type { PruningSensitivity, QuantizationSensitivity } from './sensitivity.ts';
import type { Pair, Repeats } from './certainty.ts';
import type { LaterMeasurement, Measurement } from './measurement.ts';

/**
 * The content of report.json. What is called accuracy is the score of the task: of classes a fraction, of numbers the root of the mean
 * squared error in the label's units, of which less is better (`dataset.task` says which). Other shares are fractions, sizes bytes, latencies milliseconds, times seconds.
 */
export interface Report {
  readonly version: 2;
  readonly name: string;
  readonly seed: number;
  readonly status: 'complete' | 'failed' | 'interrupted';
  /** Stage at which an unfinished run stopped, and the reason. */
  readonly stopped?: { readonly stage: string; readonly reason: string };
  readonly wallSeconds: number;
  readonly machine: Machine;
  /** Data set; without classes if the run stopped before it had read its data. */
  readonly dataset: DatasetSummary;
  readonly teacher?: TeacherSummary;
  readonly models: readonly ModelRow[];
  readonly verdict?: Verdict;
  /** Loss of score for each layer that is pruned alone. */
  readonly pruningSensitivity?: PruningSensitivity;
  readonly parity: readonly ParitySummary[];
  /** Training of each model, epoch by epoch. */
  readonly training?: readonly TrainingCurve[];
  /** Conditions of the latencies. */
  readonly measurement?: Measurement;
  /** Measurements after the run, whose rows stand among those of the models. */
  readonly remeasured?: readonly LaterMeasurement[];
  /** Search of a run with a budget: the students that were tried, and the reason for the one that is reported. */
  readonly search?: Search;
  /** The stages in order and the time that each took: `wallSeconds` in all, but for a search, which has trials besides. */
  readonly stages?: readonly StageSummary[];
  readonly quantizationSensitivity?: QuantizationSensitivity;
  readonly environment?: Environment;
  /** The recipe with its defaults filled in, file names as they were written. */
  readonly recipe?: Readonly<Record<string, unknown>>;
  /** One sentence each: what was odd, left out or skipped, and why. */
  readonly notes: readonly string[];
}

export interface StageSummary {
  readonly stage: string;
  readonly seconds: number;
  readonly accuracy?: { readonly validation?: number; readonly test?: number };
  /** Bytes copied to and from the device that computed; absent for the CPU. */
  readonly traffic?: {
    readonly calls: number;
    readonly stateMoves: number;
    readonly stateBytes: number;
    readonly dataBytes: number;
  };
}

/** Further conditions for the same figures. */
export interface Environment {
  readonly limbeck: string;
  readonly system: string;
  readonly packages: Readonly<Record<string, string>>;
  readonly cpuFeatures: readonly string[] | null;
}

export interface TrainingCurve {
  /** The `stage` of a model row. */
  readonly stage: string;
  /** The epoch whose weights were kept; null where the training did not come to its end. */
  readonly bestEpoch: number | null;
  readonly epochs: readonly EpochFigures[];
}

interface EpochFigures {
  readonly epoch: number;
  /** Mean of the training loss over the epoch. Losses of different kinds are not comparable. */
  readonly loss: number;
  /** Score on the training batches, each before its update. */
  readonly accuracy: number;
  readonly validation: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  readonly engine: string;
  readonly device: string;
}

export interface DatasetSummary {
  readonly type: string;
  /** Task; absent for classification. */
  readonly task?: TaskName;
  /** Number of outputs of a model: classes, or label columns. */
  readonly classes: number;
  readonly classNames?: readonly string[];
  /** Name of the model whose answers stand in for labels: scores count agreement with it. */
  readonly labelledBy?: string;
  readonly sampleShape: readonly number[];
  readonly samples: { readonly train: number; readonly validation: number; readonly test: number };
}

/** Source of the soft targets, and the cost and benefit of storing them. */
export interface TeacherSummary {
  readonly source: string;
  readonly store: 'fp16' | 'fp32' | 'live' | 'none';
  readonly views: number;
  /** Time the teacher took to answer: for the store, or at the steps of the last start when it is asked live. */
  readonly seconds: number;
  /** Time that asking it at every step would have taken beyond that. */
  readonly savedSeconds: number;
  readonly bytes: number;
}

export interface ModelRow extends Form<string> {
  /** `teacher`, `scratch`, `distilled`, then one per later step. */
  readonly id: string;
  readonly model: ModelRef;
  /** The stage that made its weights. */
  readonly stage: string;
  readonly params: number;
  readonly macs: number | null;
  readonly sizeBytes: number;
  /** The file zipped: where many weights are zero, that is much less. */
  readonly gzipBytes?: number;
  /** Relative to the folder of the run. */
  readonly file: string | null;
  readonly accuracy: { readonly validation: number | null; readonly test: number | null };
  /** Results on the test split, or on the validation split where there is none. */
  readonly repeats?: Repeats;
  /** Time of training. */
  readonly seconds: number;
  readonly latency: readonly LatencyRow[];
  /** Confusion on the test split, or on the validation split where there is none. */
  readonly confusion?: Confusion;
  /** Figures by class, where there are too many classes for a confusion matrix. */
  readonly perClass?: PerClass;
  readonly calibration?: Calibration;
  readonly agreement?: Agreement;
  /** Usual answers of an ONNX file, with which servers compare those to requests. */
  readonly usual?: UsualAnswers;
  /** Errors of predicted numbers, number by number. */
  readonly errors?: Errors;
  /** Scores of several labels, each by itself. */
  readonly labels?: Labels;
  /** Root of the mean squared difference from the teacher's answers, for predicted numbers and for the logits of several labels. */
  readonly distance?: number;
}

/** Errors of predicted numbers in the label's units, on one split. */
interface Errors extends ErrorReport {
  readonly split: 'test' | 'validation';
}

/** Each of several labels, on one split; thresholds are those chosen on the validation split. */
interface Labels extends LabelReport {
  readonly split: 'test' | 'validation';
}

/** Numbers of samples by their true class. */
interface PerClass {
  readonly split: 'test' | 'validation';
  readonly samples: readonly number[];
  readonly right: readonly number[];
}

/** Comparison of confidence and accuracy. */
export interface Calibration {
  readonly split: 'test' | 'validation';
  /** Expected calibration error over bins of equal width, a fraction. */
  readonly ece: number;
  /** Mean probability of the class that was given. */
  readonly confidence: number;
  /** Bins by ascending confidence; confidence and accuracy are means, null in a bin without samples. */
  readonly bins: readonly {
    readonly samples: number;
    readonly confidence: number | null;
    readonly accuracy: number | null;
  }[];
}

/** Agreement with the teacher on the same samples, in numbers of samples. */
export interface Agreement {
  readonly split: 'test' | 'validation';
  readonly bothRight: number;
  readonly onlyTeacher: number;
  readonly onlyThis: number;
  /** Both wrong, with the same class. */
  readonly sameError: number;
  readonly differentErrors: number;
}

export interface Confusion {
  readonly split: 'test' | 'validation';
  /** [true class][predicted class]: numbers of samples. */
  readonly counts: readonly (readonly number[])[];
}

export interface LatencyRow {
  readonly runtime: string;
  readonly device: string;
  readonly batchSize: number;
  readonly threads: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms?: number;
  /** Samples per second at the median. */
  readonly throughputPerSecond: number;
  /** 95 % confidence interval of the median, from the spread between sessions; null for fewer than six of them. */
  readonly intervalMs?: readonly [number, number] | null;
  readonly runs?: number;
  /** Times that the model was loaded anew. */
  readonly sessions?: number;
  /** Most memory that loading and running the model adds to a process, in bytes. */
  readonly memoryBytes?: number | null;
  /** Time of a measurement after the run. Only rows of one measurement took turns and can be compared. */
  readonly measuredAt?: string;
}

/** Verdict on whether the distilled student is better than its twin trained without the teacher, on test accuracy and seed by seed. */
export interface Verdict {
  readonly result: 'BEATS' | 'NO GAIN' | 'INCONCLUSIVE';
  /** Mean gain in accuracy, a fraction. */
  readonly gain: number;
  /** 95 % confidence interval of the mean gain; null with one repeat, which cannot tell a gain from chance. */
  readonly interval: readonly [number, number] | null;
  readonly repeats: number;
  readonly gains: readonly number[];
  readonly sentence: string;
  /** The two models beside each other, sample by sample; of a run with one repeat, where nothing else can be said. */
  readonly pair?: Pair;
}

export interface ParitySummary {
  readonly file: string;
  readonly samples: number;
  /** Share of samples on which file and training graph agree about the class; absent of other tasks. */
  readonly top1Agreement?: number;
  readonly largestError: number;
  /** Power of the logits over that of the difference, in dB; absent where there is no difference. */
  readonly sqnrDb?: number;
}

/** A search within a budget. */
export interface Search {
  readonly target: {
    readonly runtime: string;
    readonly batchSize: number;
    readonly threads: number;
    readonly p95Ms?: number;
    readonly sizeKb?: number;
    /** Percentage points of validation accuracy below the teacher. */
    readonly maxDrop?: number;
  };
  readonly points: readonly SearchPoint[];
  /** Id of the point that is reported. */
  readonly pick: string;
  /** The pick, in both of its measurements. */
  readonly withinBudget: boolean;
  /** The pick, timed once more after it was chosen, and whether its latency was within the budget then. */
  readonly again?: { readonly p50Ms: number; readonly p95Ms: number; readonly withinBudget: boolean };
  readonly sentence: string;
}

/** A file that the search made and measured. */
export interface SearchPoint {
  /** Run and model, e.g. `width-0.5-pruned-0.3-round-2/pruned-1-int8`. */
  readonly id: string;
  /** Factor on the width of the recipe's student. */
  readonly width: number;
  /** Share of multiply-accumulates that pruning removed. */
  readonly amount: number;
  readonly precision: string;
  readonly epochs: number;
  readonly params: number;
  readonly sizeBytes: number;
  /** Accuracy on the validation split, a fraction. */
  readonly validation: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** No other point is at least as good in accuracy, latency and size, and better in one. */
  readonly onFront: boolean;
  readonly withinBudget: boolean;
}

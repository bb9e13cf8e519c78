/** Detection as ESPHome does it (`streaming_model.cpp`): the mean of the last probabilities, and a pause behind each detection. */

/** Frames below the cutoff that a device waits before the first detection and behind each. */
const PAUSE = 100;

export interface Alarm {
  /** Probability, 0 to 255, that the mean of the window has to exceed. */
  readonly cutoff: number;
  /** Probabilities in a mean. */
  readonly window: number;
}

/** Numbers of the hops at which a device with these settings hears the word. */
export function detections(probabilities: Uint8Array, hop: number, { cutoff, window }: Alarm): number[] {
  const found: number[] = [];
  let [sum, begin, ignored] = [0, 0, -PAUSE];
  for (let i = 0; i < probabilities.length; i++) {
    sum += probabilities[i]!;
    if (i - window >= begin) sum -= probabilities[i - window]!;
    // The probability of the hop before stands while the frames of a hop come in.
    const before = i > begin ? probabilities[i - 1]! : 0;
    if (before < cutoff) ignored += hop - 1;
    if (probabilities[i]! < cutoff) ignored++;
    ignored = Math.min(0, ignored);
    if (ignored < 0 || sum <= cutoff * window) continue;
    found.push(i);
    [sum, begin, ignored] = [0, i + 1, -PAUSE];
  }
  return found;
}

/** Probabilities of a sound. */
export interface Heard {
  readonly name: string;
  readonly probabilities: Uint8Array;
  /** First hop at which a detection counts: before it the sound has not begun. */
  readonly from: number;
}

export interface Sounds {
  /** Clips that hold the word. */
  readonly clips: readonly Heard[];
  /** Recordings that do not. */
  readonly recordings: readonly Heard[];
  readonly hop: number;
}

export interface AlarmScore {
  readonly recall: number;
  readonly falseAccepts: number;
  readonly falseAcceptsPerHour: number;
}

const MS_PER_HOUR = 3_600_000;

export function hoursOf({ recordings, hop }: Pick<Sounds, 'recordings' | 'hop'>): number {
  return (recordings.reduce((sum, { probabilities }) => sum + probabilities.length, 0) * hop * 10) / MS_PER_HOUR;
}

export function alarmScore(sounds: Sounds, alarm: Alarm): AlarmScore {
  const { clips, recordings, hop } = sounds;
  const heard = clips.filter(({ probabilities, from }) => {
    return detections(probabilities, hop, alarm).some((at) => at >= from);
  });
  const falseAccepts = recordings.reduce((sum, { probabilities }) => {
    return sum + detections(probabilities, hop, alarm).length;
  }, 0);
  return { recall: heard.length / clips.length, falseAccepts, falseAcceptsPerHour: falseAccepts / hoursOf(sounds) };
}

/** False accepts per hour that recordings of so many hours with so many false accepts leave possible, with 95 % certainty (Poisson). */
export function upperBound(falseAccepts: number, hours: number): number {
  const shareAtMost = (mean: number): number => {
    let [term, sum] = [Math.exp(-mean), 0];
    for (let k = 0; k <= falseAccepts; k++) {
      sum += term;
      term *= mean / (k + 1);
    }
    return sum;
  };
  let [low, high] = [falseAccepts, 10 + 3 * falseAccepts];
  for (let i = 0; i < 50; i++) {
    const mean = (low + high) / 2;
    if (shareAtMost(mean) > 0.05) low = mean;
    else high = mean;
  }
  return high / hours;
}

/** Windows that are tried, the usual one first. */
const WINDOWS = [5, 3, 7, 10];

/**
 * The settings with the highest recall of those that keep the promise, or that have the fewest false accepts if none does; of equal ones the fewest false
 * accepts, then the middle of the cutoffs.
 */
export function chosen(sounds: Sounds, perHour: number): Alarm & { readonly isKept: boolean } {
  const all = WINDOWS.flatMap((window) =>
    Array.from({ length: 254 }, (_, i) => ({ window, cutoff: i + 1 })).map((alarm) => ({
      ...alarm,
      ...alarmScore(sounds, alarm),
    })),
  );
  const kept = all.filter(({ falseAcceptsPerHour }) => falseAcceptsPerHour <= perHour);
  const isKept = kept.length > 0;
  const least = Math.min(...all.map(({ falseAccepts }) => falseAccepts));
  const tried = isKept ? kept : all.filter(({ falseAccepts }) => falseAccepts === least);
  const most = Math.max(...tried.map(({ recall }) => recall));
  const fewest = Math.min(...tried.filter(({ recall }) => recall === most).map(({ falseAccepts }) => falseAccepts));
  const best = tried.filter((one) => one.recall === most && one.falseAccepts === fewest);
  const same = best.filter(({ window }) => window === best[0]!.window);
  const { window, cutoff } = same[same.length >> 1]!;
  return { window, cutoff, isKept };
}

/** Cutoffs of the printed curve. */
const CURVE = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99].map((share) => Math.floor(share * 255));

/** Recall and false accepts at several cutoffs, the given one among them. */
export function alarmCurve(sounds: Sounds, { window, cutoff }: Alarm): readonly (Alarm & AlarmScore)[] {
  const cutoffs = [...new Set([...CURVE, cutoff])].sort((a, b) => a - b);
  return cutoffs.map((one) => ({ window, cutoff: one, ...alarmScore(sounds, { window, cutoff: one }) }));
}

/** The cutoff as a manifest states it: ESPHome takes the whole part of 255 times this number. */
export const probabilityCutoff = (cutoff: number): number => Math.ceil((cutoff / 255) * 1e4) / 1e4;

// Needs the feature esphome.
import { chosen, detections, hoursOf, alarmScore, upperBound } from '../../../src/consumers/esphome/alarms.ts';

const hops = (count: number, value = 0): number[] => Array.from({ length: count }, () => value);

it('hears a word where the mean of the window exceeds the cutoff, a second after the beginning and after each detection', () => {
  const quiet = hops(100);
  const word = hops(5, 250);
  const alarm = { cutoff: 200, window: 5 };
  // 4 of 5 hops of 250 have a mean of 200, which does not exceed it.
  expect(detections(Uint8Array.from([...quiet, ...word, ...quiet]), 1, alarm)).toEqual([104]);
  expect(detections(Uint8Array.from([...hops(20), ...word, ...quiet]), 1, alarm)).toEqual([]);
  expect(detections(Uint8Array.from([...quiet, ...word, ...hops(20), ...word, ...quiet]), 1, alarm)).toEqual([104]);
  expect(detections(Uint8Array.from([...quiet, ...word, ...quiet, ...word]), 1, alarm)).toEqual([104, 209]);
  expect(detections(Uint8Array.from([...hops(34), ...word]), 3, alarm)).toEqual([38]);
});

it('chooses the settings with the highest recall of those that keep the promise, and says if none does', () => {
  const clip = (value: number) => ({
    name: 'clip',
    probabilities: Uint8Array.from([...hops(100), ...hops(10, value)]),
    from: 100,
  });
  const recording = (value: number) => ({
    name: 'recording',
    probabilities: Uint8Array.from([...hops(200), ...hops(10, value), ...hops(200)]),
    from: 0,
  });
  const sounds = { clips: [clip(240), clip(150)], recordings: [recording(180)], hop: 3 };
  const strict = chosen(sounds, 0);
  expect(strict.isKept).toBe(true);
  expect(strict.cutoff).toBeGreaterThanOrEqual(180);
  expect(alarmScore(sounds, strict)).toEqual({ recall: 0.5, falseAccepts: 0, falseAcceptsPerHour: 0 });
  const loose = chosen(sounds, 1 / hoursOf(sounds));
  expect(alarmScore(sounds, loose)).toMatchObject({ recall: 1, falseAccepts: 1 });
  const loud = { ...sounds, recordings: [recording(255)] };
  expect(chosen(loud, 0).isKept).toBe(false);
});

it('bounds the rate by the hours that were heard', () => {
  expect(upperBound(0, 1)).toBeCloseTo(2.9957, 3);
  expect(upperBound(3, 2)).toBeCloseTo(7.7537 / 2, 3);
});

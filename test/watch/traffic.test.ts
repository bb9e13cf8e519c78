import { trafficSince, trafficText } from '../../src/watch/traffic.ts';

const before = { calls: 3, stateMoves: 2, stateBytes: 1000, dataBytes: 50 };
const now = { calls: 10, stateMoves: 4, stateBytes: 2_501_000, dataBytes: 1_250_050 };

it('says what a stage moved', () => {
  const { traffic } = trafficSince(before, now);
  expect(traffic).toEqual({ calls: 7, stateMoves: 2, stateBytes: 2_500_000, dataBytes: 1_250_000 });
  expect(trafficText(traffic!)).toBe('state moved 2 times (2.5 MB) in 7 calls, data 1.3 MB');
  expect(trafficText({ ...traffic!, stateMoves: 1 })).toMatch(/^state moved once /);
});

it('says nothing where nothing is counted, or nothing was called', () => {
  expect(trafficSince(undefined, undefined)).toEqual({});
  expect(trafficSince(now, now)).toEqual({});
});

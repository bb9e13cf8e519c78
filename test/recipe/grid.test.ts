import { fileTrials, gridTrials } from '../../src/recipe/grid.ts';

describe('trials of a sweep', () => {
  it('are all combinations of a grid, with names that say what they change', () => {
    expect(gridTrials(['distill.temperature=1,2', 'seed=0,1'])).toEqual([
      { name: '1-temperature-1-seed-0', set: ['distill.temperature=1', 'seed=0'] },
      { name: '2-temperature-1-seed-1', set: ['distill.temperature=1', 'seed=1'] },
      { name: '3-temperature-2-seed-0', set: ['distill.temperature=2', 'seed=0'] },
      { name: '4-temperature-2-seed-1', set: ['distill.temperature=2', 'seed=1'] },
    ]);
  });

  it('take values with commas in brackets and quotes', () => {
    const [first, second, third] = gridTrials(['student.hidden=[8, 4],[16],"a,b"']);
    expect([first!.set, second!.set, third!.set]).toEqual([
      ['student.hidden=[8, 4]'],
      ['student.hidden=[16]'],
      ['student.hidden="a,b"'],
    ]);
    expect(first!.name).toBe('1-hidden-8-4');
    expect(gridTrials(['student.name="",null']).map(({ set }) => set)).toEqual([
      ['student.name=""'],
      ['student.name=null'],
    ]);
  });

  it('are read from a list in YAML or JSON', () => {
    const yaml = '- { distill.temperature: 2, seed: 1 }\n- { student.hidden: [8] }\n';
    const trials = fileTrials(yaml, 'trials.yaml');
    expect(trials.map(({ set }) => set)).toEqual([['distill.temperature=2', 'seed=1'], ['student.hidden=[8]']]);
    expect(fileTrials(JSON.stringify([{ 'distill.temperature': 2, seed: 1 }, { 'student.hidden': [8] }]), 'x')).toEqual(
      trials,
    );
  });

  it('have names of their own where what they change is long', () => {
    const values = Array.from({ length: 12 }, (_, i) => `"${'x'.repeat(100)}${i}"`).join();
    const names = gridTrials([`name2=${values}`]).map(({ name }) => name);
    expect(new Set(names).size).toBe(12);
    expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(60);
  });

  it.each([
    [['temperature'], /expected key.path=value,value, received "temperature"/],
    [['a='], /expected key.path=value/],
    [['a=,,'], /expected key.path=value/],
    [['seed=1,,2'], /^--grid: expected a value between all commas of seed, received "seed=1,,2"$/],
    [['seed=1,2,'], /expected a value between all commas of seed/],
    [['seed=1', 'seed=2'], /seed is given twice/],
    [['name=a,b'], /sets name/],
    [['a..b=1'], /^--grid: expected key.path=value/],
    [
      ['a=1,2,3,4,5,6,7,8,9,10', 'b=1,2,3,4,5,6,7,8,9,10', 'c=1,2,3,4,5,6,7,8,9,10', 'd=1,2,3,4,5,6,7,8,9,10,11'],
      /11000 trials/,
    ],
  ])('refuses the grid %j', (grid, message) => {
    expect(() => gridTrials(grid)).toThrow(message);
  });

  it.each(['', '[]', 'a: 1', '- 1', '- [a]', '- {', 'null'])('refuses a file that holds %j', (text) => {
    expect(() => fileTrials(text, 'trials.yaml')).toThrow(/trials.yaml: expected a list/);
  });
});

import { cpuFeatures, machineInfo } from '../../src/measure/machine.ts';

const present = (text: string) =>
  cpuFeatures(() => text)
    ?.filter((feature) => feature.present)
    .map(({ name }) => name);

describe('what the CPU has', () => {
  it('is read from the flags of an x86 machine', () => {
    expect(present('processor : 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n')).toEqual(['AVX2', 'AVX-512', 'VNNI']);
    expect(present('flags : fpu avx2 avx_vnni')).toEqual(['AVX2', 'VNNI']);
    expect(present('flags : fpu avx')).toEqual([]);
  });

  it('is read from the features of an ARM machine', () => {
    expect(present('Features\t: fp asimd asimddp i8mm')).toEqual(['dot product', 'i8mm']);
  });

  it('is unknown where the system does not tell', () => {
    expect(cpuFeatures(() => 'nothing of the kind')).toBeUndefined();
    expect(
      cpuFeatures(() => {
        throw new Error('ENOENT');
      }),
    ).toBeUndefined();
  });
});

it('knows the machine it runs on', () => {
  const { cores, memoryBytes, node } = machineInfo();
  expect(cores).toBeGreaterThan(0);
  expect(memoryBytes).toBeGreaterThan(2 ** 28);
  expect(node).toBe(process.versions.node);
});

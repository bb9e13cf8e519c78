import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';

export interface MachineInfo {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
}

export function machineInfo(): MachineInfo {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${platform()} ${arch()}`,
    node: process.versions.node,
  };
}

export function systemRelease(): string {
  return `${platform()} ${release()}`;
}

/** CPU features for fast arithmetic, by their Linux names, with their effect. */
const X86 = [
  ['AVX2', ['avx2'], 'fp32 in vectors of 8'],
  ['AVX-512', ['avx512f'], 'fp32 in vectors of 16'],
  ['VNNI', ['avx512_vnni', 'avx_vnni'], 'int8 dot products; without them int8 may be slower than fp32, and less exact'],
  ['AMX', ['amx_int8'], 'int8 matrix products'],
] as const;
const ARM = [
  ['dot product', ['asimddp'], 'int8 dot products; without them int8 may be slower than fp32'],
  ['i8mm', ['i8mm'], 'int8 matrix products'],
  ['fp16', ['asimdhp'], 'half-width floats'],
] as const;

export interface CpuFeature {
  readonly name: string;
  readonly present: boolean;
  readonly why: string;
}

/** Features of the CPU from /proc/cpuinfo; undefined on other systems. */
export function cpuFeatures(read: () => string = readCpuInfo): CpuFeature[] | undefined {
  let text: string;
  try {
    text = read();
  } catch {
    return undefined;
  }
  const [, kind, line] = /^(flags|Features)\s*:\s*(.*)$/m.exec(text) ?? [];
  if (line === undefined) return undefined;
  const flags = new Set(line.split(/\s+/));
  return (kind === 'flags' ? X86 : ARM).map(([name, names, why]) => ({
    name,
    present: names.some((flag) => flags.has(flag)),
    why,
  }));
}

function readCpuInfo(): string {
  return readFileSync('/proc/cpuinfo', 'utf8');
}

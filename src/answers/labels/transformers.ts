import type { PipelineForm } from '../../ship/transformers/config.ts';

export const transformers: PipelineForm = { texts: 'text-classification', problem: 'multi_label_classification' };

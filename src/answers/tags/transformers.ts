import type { PipelineForm } from '../../ship/transformers/config.ts';

export const transformers: PipelineForm = { texts: 'token-classification' };

export function trial(workers: number): Promise<{ svgd: string; svpg: string; losses: number }>

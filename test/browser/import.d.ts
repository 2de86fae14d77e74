export declare const importHere: (name: string) => Promise<unknown>

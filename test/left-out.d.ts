export declare const interpreter: string
export declare const hasModule: (name: string) => boolean

export declare const interpreter: string
export declare const hasGymnasium: () => boolean

import { IsInt, Matches, Max, Min } from 'class-validator';

export class NewBid {
  @Matches(/^[a-z0-9-]{1,32}$/)
  readonly lot: string = '';

  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly amount: number = 0;
}

import { IsInt, Max, Min } from 'class-validator';

export class NewBid {
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly amount: number = 0;
}

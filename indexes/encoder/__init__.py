"""The learned behaviour encoder: customers' shopping days as sequences, a Transformer or an LSTM over them."""

"""The retailer's behaviour data: sources, cleaning, pseudonyms, feature mart, audiences."""

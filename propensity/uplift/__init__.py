"""Who responds because of a treatment (an e-mail, a coupon), and who would respond anyway."""
